/** Google's two APIs of Gemini. */
import { bearerIn, headerIn } from "../wire-format.ts";
import { geminiWire } from "../wires/gemini-wire.ts";
import { functionCallArguments } from "./request-rules.ts";
import { asVendor, type DialectName, type VendorApi } from "./vendor-api.ts";

export function geminiWireOf(vendor: VendorApi) {
  return asVendor(geminiWire, vendor);
}

const GEMINI: VendorApi = {
  source: "https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/thought-signatures",
  rejects: [functionCallArguments],
};

const VERTEX: VendorApi = {
  ...GEMINI,
  source: "https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest, …/docs/start/express-mode/overview",
  keyIn: (headers) => bearerIn(headers) ?? headerIn(headers, "x-goog-api-key"),
  path: /\/v1(beta1)?\/(projects\/[^/]+\/locations\/[^/]+\/)?publishers\/google\/models\//,
  errors: {
    unauthorized: {
      status: 401,
      type: "UNAUTHENTICATED",
      message: "Request had invalid authentication credentials. Expected OAuth 2 access token.",
      more: {},
    },
  },
};

export const GEMINI_VENDORS = { gemini: GEMINI, vertex: VERTEX } satisfies Partial<Record<DialectName, VendorApi>>;
