import { csrfToken } from './client';
import { ApiError, asApiError } from './errors';

/** Second factors and single sign-on are answered by allauth, whose errors have a shape of their own. */
const BASE = '/_allauth/browser/v1/';

interface Body {
  status: number;
  data?: unknown;
  meta?: unknown;
  errors?: { message: string; code: string; param?: string }[];
}

interface Flow {
  id: string;
  is_pending?: boolean;
  types?: string[];
}

async function call(method: string, path: string, body?: unknown): Promise<Body> {
  try {
    const token = await csrfToken();
    const response = await globalThis.fetch(new URL(BASE + path, window.location.origin), {
      method,
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json', ...(token && { 'X-CSRFToken': token }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json();
    return { ...(answer as Body), status: response.status };
  } catch (error) {
    throw asApiError(error);
  }
}

function flowsOf(body: Body): Flow[] {
  return (body.data as { flows?: Flow[] } | undefined)?.flows ?? [];
}

/** Whether the answer asks for the password or a factor again before it does anything. */
function asksAgain(body: Body): boolean {
  return body.status === 401 && flowsOf(body).some(({ id }) => id.includes('reauthenticate'));
}

function failure(body: Body): ApiError {
  // Not 401, which elsewhere means that the session has ended.
  if (asksAgain(body)) return new ApiError(403, 'reauthenticate', '');
  const errors = body.errors ?? [];
  const fields: Record<string, string[]> = {};
  for (const { param, message } of errors) if (param) (fields[param] ??= []).push(message);
  const message = errors.map((error) => error.message).join(' ');
  return new ApiError(body.status, errors[0]?.code ?? 'refused', message, fields);
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await call(method, path, body);
  if (answer.status >= 400) throw failure(answer);
  return answer.data as T;
}

export interface Authenticator {
  type: 'totp' | 'recovery_codes' | 'webauthn';
  id?: number;
  name?: string;
  created_at: number;
  last_used_at: number | null;
  total_code_count?: number;
  unused_code_count?: number;
}

export const authenticatorsQuery = {
  queryKey: ['authenticators'],
  queryFn: () => ask<Authenticator[]>('GET', 'account/authenticators'),
} as const;

export interface TotpOffer {
  secret: string;
  totp_url: string;
}

/** What to scan, where there is no authenticator app yet. */
export async function offerTotp(): Promise<TotpOffer> {
  const answer = await call('GET', 'account/authenticators/totp');
  if (answer.status !== 404) throw failure(answer);
  return answer.meta as TotpOffer;
}

export const confirmTotp = (code: string) =>
  ask<Authenticator>('POST', 'account/authenticators/totp', { code });
export const removeTotp = () => ask<unknown>('DELETE', 'account/authenticators/totp');

export const recoveryCodes = () =>
  ask<{ unused_codes: string[] }>('GET', 'account/authenticators/recovery-codes');
export const renewRecoveryCodes = () =>
  ask<{ unused_codes: string[] }>('POST', 'account/authenticators/recovery-codes', {});

export const removePasskey = (id: number) =>
  ask<unknown>('DELETE', 'account/authenticators/webauthn', { authenticators: [id] });

/** Make a passkey with the browser, and let the server know it. */
export async function addPasskey(name: string): Promise<Authenticator> {
  const path = 'account/authenticators/webauthn';
  const { creation_options } = await ask<{
    creation_options: { publicKey: PublicKeyCredentialCreationOptionsJSON };
  }>('GET', `${path}?passwordless`);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(creation_options.publicKey);
  const credential = await navigator.credentials.create({ publicKey });
  return ask<Authenticator>('POST', path, { name, credential: asJson(credential) });
}

async function answerPasskey(path: string): Promise<void> {
  const { request_options } = await ask<{
    request_options: { publicKey: PublicKeyCredentialRequestOptionsJSON };
  }>('GET', path);
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(request_options.publicKey);
  const credential = await navigator.credentials.get({ publicKey });
  await ask<unknown>('POST', path, { credential: asJson(credential) });
}

export const signInWithPasskey = () => answerPasskey('auth/webauthn/login');
export const confirmWithPasskey = () => answerPasskey('auth/webauthn/authenticate');
export const confirmWithCode = (code: string) =>
  ask<unknown>('POST', 'auth/2fa/authenticate', { code });

export const proveByPassword = (password: string) =>
  ask<unknown>('POST', 'auth/reauthenticate', { password });

export const changePassword = (body: { current_password: string; new_password: string }) =>
  ask<unknown>('POST', 'account/password/change', body);

/** The factors that a sign-in which has begun still waits for; empty where none has. */
export async function pendingFactors(): Promise<string[]> {
  const flow = flowsOf(await call('GET', 'auth/session')).find(({ is_pending }) => is_pending);
  return flow?.id === 'mfa_authenticate' ? (flow.types ?? []) : [];
}

/** Leave for the identity provider; it sends the browser back to the sign-in page. */
export async function leaveForSingleSignOn(process: 'login' | 'connect'): Promise<void> {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = `${BASE}auth/provider/redirect`;
  const fields = {
    provider: 'sso',
    process,
    callback_url: process === 'login' ? '/sign-in?returned=true' : '/settings?tab=security',
    csrfmiddlewaretoken: (await csrfToken()) ?? '',
  };
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement('input');
    input.type = 'hidden';
    input.name = name;
    input.value = value;
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}

/** Whether this browser, at this address, has passkeys at all. */
export function canUsePasskeys(): boolean {
  const host = window.location.hostname;
  return 'PublicKeyCredential' in window && !/^[\d.]+$|:/.test(host);
}

function asJson(credential: Credential | null): unknown {
  return credential instanceof PublicKeyCredential ? credential.toJSON() : null;
}
