export function chromiumPath() { return '/usr/bin/chromium'; }
