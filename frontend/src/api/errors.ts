import { strings } from '@/strings';

/** The error shape of every endpoint. */
interface ErrorBody {
  code: string;
  message: string;
  fields?: Record<string, string[]>;
}

/** What the server, or the way to it, answered instead of data. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Messages by the path of the field that they are about. */
    readonly fields: Readonly<Record<string, readonly string[]>> = {},
  ) {
    super(message);
  }

  /** Whether trying again may help: the network or the server failed, not the request. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

function isErrorBody(body: unknown): body is ErrorBody {
  return typeof body === 'object' && body !== null && 'code' in body && 'message' in body;
}

export function errorOf(response: Response, body: unknown): ApiError {
  if (isErrorBody(body)) {
    return new ApiError(response.status, body.code, body.message, body.fields ?? {});
  }
  const message = response.status >= 500 ? strings.errors.server : strings.errors.unexpected;
  return new ApiError(response.status, 'unreadable', message);
}

/** Any thrown value as an `ApiError`; a failed `fetch` is a network error. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof TypeError) return new ApiError(0, 'network', strings.errors.network);
  return new ApiError(0, 'unexpected', error instanceof Error ? error.message : String(error));
}
