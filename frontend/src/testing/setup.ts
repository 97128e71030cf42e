import '@testing-library/jest-dom/vitest';
import { cleanup, configure } from '@testing-library/react';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';
import { FakeSocket } from './fake-socket';
import { server } from './server';

// A deadline and not a delay; screens are loaded on demand, which takes a while on a busy machine.
configure({ asyncUtilTimeout: 10_000 });

// What jsdom leaves out and the component kit asks for.
Object.defineProperty(window, 'matchMedia', {
  value: (query: string) => ({
    matches: query.includes('min-width'),
    media: query,
    addEventListener: vi.fn(),
    removeEventListener: vi.fn(),
  }),
});
vi.stubGlobal(
  'ResizeObserver',
  class {
    observe = vi.fn();
    unobserve = vi.fn();
    disconnect = vi.fn();
  },
);
vi.stubGlobal(
  'IntersectionObserver',
  class {
    observe = vi.fn();
    disconnect = vi.fn();
  },
);
// A canvas on which drawing does nothing: charts load late, and would fail in some later test.
const drawing: Record<string, unknown> = { measureText: () => ({ width: 0 }) };
const nothing = () => undefined;
Object.defineProperty(window.HTMLCanvasElement.prototype, 'getContext', {
  value: () =>
    new Proxy(drawing, {
      get: (known, name): unknown => (Reflect.get(known, name) as unknown) ?? nothing,
    }),
});
window.HTMLElement.prototype.scrollIntoView = vi.fn();
window.scrollTo = vi.fn();
window.Range.prototype.getClientRects = () => [] as unknown as DOMRectList;
Object.defineProperty(document, 'fonts', {
  value: { addEventListener: vi.fn(), removeEventListener: vi.fn() },
});

beforeAll(() => {
  server.listen({ onUnhandledRequest: 'error' });
  // After the server, which puts its own socket in place.
  vi.stubGlobal('WebSocket', FakeSocket);
});
afterEach(() => {
  cleanup();
  server.resetHandlers();
  FakeSocket.all = [];
});
afterAll(() => {
  server.close();
});

// jsdom's files cannot be read the modern way.
Blob.prototype.text = function text(this: Blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      resolve(reader.result as string);
    };
    reader.onerror = () => {
      reject(new Error('The file cannot be read.'));
    };
    reader.readAsText(this);
  });
};
