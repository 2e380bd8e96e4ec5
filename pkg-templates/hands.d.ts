// The types of webgguf/hands. Everything throws WebggufError.
import type { LoadOptions, ModelInfo, Source } from './index.js';

export { isWebggufError } from './index.js';
export type { ErrorCode, Progress, Source, WebggufError } from './index.js';

/** What hands can be looked for in. */
export type Picture =
  | HTMLVideoElement
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap
  | VideoFrame
  | ImageData;

/** A point. */
export interface Point3 {
  x: number;
  y: number;
  z: number;
}

/** A hand that was found. Fields have the names of MediaPipe's where they mean the same. */
export interface Hand {
  /**
   * 21 points: the wrist, then four of each finger from the thumb to the little finger, base to tip. x and y are 0 to 1 from
   * the picture's upper left corner to its lower right one; a point may lie outside. z is in units of the picture's width: 0
   * near the wrist, less nearer to the camera.
   */
  landmarks: Point3[];
  /** The same points in metres, from the middle of the hand, turned as in the picture. */
  worldLandmarks: Point3[];
  /** Which hand it is, of a picture that is not mirrored. */
  handedness: 'Left' | 'Right';
  /** How sure that is, 0.5 to 1. */
  handednessScore: number;
  /** How sure it is that there is a hand, 0 to 1. */
  score: number;
  /** Around the landmarks; 0 to 1 as they are. */
  box: { xmin: number; ymin: number; width: number; height: number };
}

/** How landmarks of a video are smoothed: the one-euro filter (Casiez, Roussel, Vogel 2012). */
export interface Smoothing {
  /** What passes at rest, in hertz: less is steadier. */
  minCutoff?: number | undefined;
  /** How fast the filter opens with speed: more lags less. */
  beta?: number | undefined;
  /** For the speed itself, in hertz. */
  derivativeCutoff?: number | undefined;
}

export interface HandsOptions
  extends Pick<LoadOptions, 'signal' | 'wasmUrl' | 'cache' | 'retry' | 'hub' | 'onProgress'> {
  /** Hands to find at most, 1 to 8. Palms are looked for while there are fewer. Default 2. */
  maxHands?: number | undefined;
  /** The least score of a palm that is found, 0 to 1. Default 0.5. */
  minDetectionScore?: number | undefined;
  /** The least score of a hand that is followed, 0 to 1. Default 0.5. */
  minPresenceScore?: number | undefined;
  /** Whether landmarks of a video are smoothed, or how. Default false. */
  smoothing?: boolean | Smoothing | undefined;
}

export interface DetectOptions {
  /** When the picture was taken, in milliseconds: smoothing goes by it. Default: now, by `performance.now()`. */
  timestamp?: number | undefined;
  /**
   * Whether hands are followed from the picture before, which is several times as fast as to find them. Default: true for
   * a video, a frame of one and a canvas; other pictures are looked at afresh.
   */
  tracking?: boolean | undefined;
  /** Do not wait for the answer any more. */
  signal?: AbortSignal | undefined;
}

/** The networks, the GPU and what they take there. */
export interface HandsInfo {
  /** Of each network. */
  palms: { variant: 'lite' | 'full'; inputSize: number; parameters: number };
  landmarks: { variant: 'lite' | 'full'; inputSize: number; parameters: number };
  /** Of the weights. */
  licence: string | null;
  /** GPU memory, in bytes. */
  memory: { weights: number; activations: number };
  gpu: { adapter: string; backend: string };
  /** The time that the load took, in milliseconds. */
  loadMs: number;
  /** Where the file's bytes came from. */
  cache: ModelInfo['cache'];
}

/** Figures of the last picture, in milliseconds. */
export interface HandsStats {
  /** Handing the picture over. */
  uploadMs: number;
  /** Waiting for palms; 0 where none were looked for. */
  palmsMs: number;
  /** Waiting for landmarks. */
  landmarksMs: number;
  /** The computation between the networks, on the CPU. */
  glueMs: number;
  totalMs: number;
  /** GPU memory that is held now, in bytes. */
  gpuBytes: number;
}

/** Finds hands and follows them. Calls run one after the other, in their order. */
export class Hands {
  private constructor();

  readonly info: Readonly<HandsInfo>;

  readonly stats: HandsStats;

  /** Whether calls can run: false while the device is lost or recovered, and once it is destroyed. */
  readonly isLoaded: boolean;

  /**
   * The hands in a picture, those that were found first in first place.
   *
   * Throws `INVALID_ARGUMENT` for what is no picture, has no pixels yet, or is of another origin that does not allow its
   * pixels to be read; `INVALID_STATE` once it is destroyed, `DEVICE_LOST`, `ABORTED`.
   */
  detect(picture: Picture, options?: DetectOptions): Promise<Hand[]>;

  /** Forget the hands of the picture before. */
  reset(): void;

  /** Hear when the GPU device is lost. Returns what ends the listening. */
  on(name: 'devicelost', listener: (event: { message: string }) => void): () => void;

  /** Load the networks again onto a new GPU device. Nothing does this by itself. */
  recover(options?: Pick<LoadOptions, 'onProgress' | 'signal'>): Promise<void>;

  /** Give the GPU's memory back. Calls fail from now on. */
  destroy(): void;
}

/**
 * Load the networks that find hands.
 *
 * @param source  a GGUF file with both networks, as `webgguf convert` makes them of MediaPipe's `.tflite` files; as a source
 *   of `loadModel`. Default: the LITE networks that come with the package.
 */
export function loadHands(source?: Source | null, options?: HandsOptions): Promise<Hands>;
