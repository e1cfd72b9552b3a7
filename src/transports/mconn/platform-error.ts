/** The code the platform gave an error, for example `ECONNRESET`; `unknown` where there is none. */
export function platformCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}
