import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const backend = process.env.ROUNDHOUSE_BACKEND ?? 'http://127.0.0.1:8000';

/** Writes each file of the build beside itself, compressed; the server sends what a browser takes. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle: ({ dir = '' }, bundle) => {
      for (const name of Object.keys(bundle).filter((file) => /\.(js|css|svg)$/.test(file))) {
        const path = join(dir, name);
        const content = readFileSync(path);
        const params = {
          [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
          [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
        };
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params }));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

/**
 * What three screens or more share comes in one file: each of many small ones would be a request of
 * its own. The kits of charts and of the editor stay parts that only some screens load.
 */
const SHARED = {
  name: 'shared',
  test: (id: string) => !APART.test(id),
  minShareCount: 3,
};
const APART =
  /features\/|charts\/(?:canvas-chart|any-canvas-chart|chart-kit|save-chart)|\/(?:echarts|zrender|@codemirror|codemirror|@lezer|yaml)\//;

export default defineConfig({
  plugins: [react(), compressed()],
  resolve: { alias: { '@': new URL('./src', import.meta.url).pathname } },
  build: {
    target: 'es2022',
    // Inlined assets would need data: in the content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    // A request costs more than the few rules that a screen does not need.
    cssCodeSplit: false,
    rolldownOptions: { output: { codeSplitting: { groups: [SHARED] } } },
  },
  server: {
    proxy: {
      '/api': { target: backend },
      '/ws': { target: backend, ws: true },
    },
  },
  test: {
    environment: 'jsdom',
    setupFiles: ['src/testing/setup.ts'],
    css: false,
    restoreMocks: true,
    testTimeout: 30_000,
    maxWorkers: 2,
  },
});
