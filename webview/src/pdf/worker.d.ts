// The reading half of pdf.js: imported for its effect, it tells the other half where it is.
declare module 'pdfjs-dist/legacy/build/pdf.worker.mjs';
