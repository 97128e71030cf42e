/** Where the next page begins, from the address that the server gives for it. */
export function cursorOf(next: string | null | undefined): string | null {
  return next ? new URL(next, window.location.origin).searchParams.get('cursor') : null;
}
