/** Amazon Bedrock, whose format no other vendor has. */
import { converseWire } from "../wires/converse-wire.ts";
import { cachePointsOf, toolUseObjects } from "./request-rules.ts";
import { asVendor, type DialectName, type VendorApi } from "./vendor-api.ts";

export function converseWireOf(vendor: VendorApi) {
  return asVendor(converseWire, vendor);
}

const BEDROCK: VendorApi = {
  source:
    "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html; vercel/ai#19023, posit-dev/positron#12142",
  rejects: [toolUseObjects, cachePointsOf(/claude-(3-7|3-5-haiku|(opus|sonnet|haiku)-[4-9])/)],
};

export const CONVERSE_VENDORS = { bedrock: BEDROCK } satisfies Partial<Record<DialectName, VendorApi>>;
