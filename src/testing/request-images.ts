/** Images in a request, as a vendor would read their bytes. */
import { bytesOfDataUrl, type ImageType, imageTypeOf, isDataUrl } from "../image.ts";

/** An image as a script sees it: by its bytes, whose type is verified, or by its URL. */
export type RequestImage = { mediaType: string; base64: string } | { url: string };

/** An image in OpenAI's formats: one text, a URL or a `data:` URL. */
export function imageInUrl(url: string): RequestImage {
  if (!isDataUrl(url)) return { url };
  const mediaType = /^data:([^;,]*)/i.exec(url)?.[1] ?? "";
  return { mediaType, base64: url.slice(url.indexOf(",") + 1) };
}

/** An error in a `data:` URL, or in a URL that a vendor would have to fetch. */
export type UrlFault = "no-url" | "not-base64" | "no-image";

export function faultInUrl(url: string): UrlFault | undefined {
  if (!isDataUrl(url)) return /^https?:$/.test(URL.parse(url)?.protocol ?? "") ? undefined : "no-url";
  const bytes = bytesOfDataUrl(url);
  if (bytes === undefined) return "not-base64";
  return imageTypeOf(bytes) === undefined ? "no-image" : undefined;
}

/** Decodes base64 as all vendors do; undefined if it is invalid. */
export function bytesOfBase64(base64: string): Buffer | undefined {
  return bytesOfDataUrl(`data:;base64,${base64}`);
}

/** Detects the type of base64-encoded bytes. */
export function typeInBase64(base64: string): ImageType | undefined {
  const bytes = bytesOfBase64(base64);
  return bytes && imageTypeOf(bytes);
}
