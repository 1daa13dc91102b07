import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` passes questions on to a server that runs: THRONG_URL, or the demo's address.
const server = process.env.THRONG_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  plugins: [react()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the policy allows no `data:` but pictures
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000,
    reportCompressedSize: false,
  },
  server: { proxy: { "/graphql": server } },
  preview: { proxy: { "/graphql": server } },
});
