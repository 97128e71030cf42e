/** The mark: a turntable with its bridge, and the stalls of the roundhouse around it. */
export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden focusable="false">
      <g stroke="var(--rh-brand)" strokeLinecap="round" strokeWidth="2.6">
        <path d="M2.4 18.4h4.2M4.5 9.9l3.7 2M11.1 4l2 3.8M20.2 3.6l-1.6 4M27.4 9.2l-3.5 2.4" />
        <circle cx="16" cy="19" r="7.6" />
      </g>
      <path d="m10.2 23 11.6-8" stroke="var(--rh-brass)" strokeLinecap="round" strokeWidth="3.2" />
    </svg>
  );
}
