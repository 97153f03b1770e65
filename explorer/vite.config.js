import { defineConfig } from 'vite';

export default defineConfig({
  // Relative, so that the page works under any path prefix.
  base: './',
  esbuild: { jsx: 'automatic' },
  worker: { format: 'es' },
  build: {
    outDir: '../gamebuddy/static/graphiql',
    emptyOutDir: true,
    // The server finds the hashed names of the entry in this file; its absence means "not built".
    manifest: 'manifest.json',
    // The policy of the page allows no scripts or workers from data addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Monaco alone is larger than the warning's default.
    chunkSizeWarningLimit: 5000,
    rollupOptions: {
      input: 'src/main.jsx',
      // "use client" speaks to server-side React and means nothing here.
      onwarn: (warning, warn) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning),
    },
  },
});
