// Runs before the first paint, so that a dark page never flashes white. A file and not an inline
// script, because the content security policy allows no inline script.
(function () {
  var wanted = 'auto';
  try {
    wanted = window.localStorage.getItem('roundhouse-color-scheme') || 'auto';
  } catch {
    // Storage may be blocked; the system's scheme is used.
  }
  var systemIsDark = window.matchMedia('(prefers-color-scheme: dark)').matches;
  var dark = wanted === 'dark' || (wanted !== 'light' && systemIsDark);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
