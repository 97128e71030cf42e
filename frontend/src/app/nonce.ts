import { setNonce } from 'get-nonce';

/**
 * The nonce with which this page may add style elements, put into the page by the server.
 * Mantine asks for it; its scroll lock looks it up by itself.
 */
export function readNonce(): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]');
  const nonce = meta?.content ?? '';
  setNonce(nonce);
  return nonce;
}
