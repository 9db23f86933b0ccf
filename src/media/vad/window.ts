/** Silero's window at 8 kHz: 256 samples, 32 ms. */
export const VAD_WINDOW_SAMPLES = 256;
export const VAD_WINDOW_MS = 32;
