interface LogoProps {
  size?: number;
  className?: string | undefined;
}

/** The mark: a roundhouse from above, its stalls around the turntable. */
export function Logo({ size = 24, className }: LogoProps) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 32 32"
      fill="none"
      className={className}
      aria-hidden
      focusable="false"
    >
      <path
        d="M4.6 24.6A13.2 13.2 0 1 1 27.4 24.6"
        pathLength="100"
        stroke="var(--rh-logo-house)"
        strokeWidth="5.4"
        strokeDasharray="16.8 4"
      />
      <path
        d="M-6.86-1.4A7 7 0 0 1 6.86-1.4ZM-6.86 1.4A7 7 0 0 0 6.86 1.4Z"
        transform="translate(16 18) rotate(-30)"
        fill="var(--rh-logo-table)"
      />
    </svg>
  );
}
