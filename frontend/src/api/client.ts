import createClient, { type Middleware } from 'openapi-fetch';
import { ApiError, asApiError, errorOf } from './errors';
import type { paths } from './schema';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

function csrfCookie(): string | undefined {
  return /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1];
}

/** The token that each changing request carries; asked for where there is none yet. */
export async function csrfToken(): Promise<string | undefined> {
  if (csrfCookie() === undefined) await fetch('/api/v1/auth/csrf/', { credentials: 'same-origin' });
  return csrfCookie();
}

/** Django refuses a changing request of a session without the token from its cookie. */
const csrf: Middleware = {
  async onRequest({ request }) {
    if (SAFE_METHODS.has(request.method)) return;
    const token = await csrfToken();
    if (token !== undefined) request.headers.set('X-CSRFToken', token);
  },
};

export const client = createClient<paths>({
  baseUrl: window.location.origin,
  credentials: 'same-origin',
  // Looked up at each call, so that a test can put its own in place.
  fetch: (request) => globalThis.fetch(request),
});
client.use(csrf);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer; everything else is thrown as an `ApiError`. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  let result: Answer<T>;
  try {
    result = await answer;
  } catch (error) {
    throw asApiError(error);
  }
  if (!result.response.ok) throw errorOf(result.response, result.error);
  if (result.data === undefined) throw new ApiError(result.response.status, 'empty', '');
  return result.data;
}

/** For endpoints that answer 204. */
export async function unwrapEmpty(answer: Promise<Answer<unknown>>): Promise<void> {
  const { error, response } = await answer.catch((thrown: unknown) => {
    throw asApiError(thrown);
  });
  if (!response.ok) throw errorOf(response, error);
}
