/** Images in a request: what a vendor would find in their bytes. */
import { bytesOfDataUrl, type ImageType, imageTypeOf, isDataUrl } from "../image.ts";

/** An image as a script sees it: by its bytes, which are what they are said to be, or by its URL. */
export type RequestImage = { mediaType: string; base64: string } | { url: string };

/** An image as OpenAI's formats carry it: one text, a URL or a `data:` URL. */
export function imageInUrl(url: string): RequestImage {
  if (!isDataUrl(url)) return { url };
  const mediaType = /^data:([^;,]*)/i.exec(url)?.[1] ?? "";
  return { mediaType, base64: url.slice(url.indexOf(",") + 1) };
}

/** What is wrong with a `data:` URL, or with a URL that a vendor would have to fetch. */
export type UrlFault = "no-url" | "not-base64" | "no-image";

export function faultInUrl(url: string): UrlFault | undefined {
  if (!isDataUrl(url)) return /^https?:$/.test(URL.parse(url)?.protocol ?? "") ? undefined : "no-url";
  const bytes = bytesOfDataUrl(url);
  if (bytes === undefined) return "not-base64";
  return imageTypeOf(bytes) === undefined ? "no-image" : undefined;
}

/** The bytes of base64 as all vendors read it; undefined where it is none. */
export function bytesOfBase64(base64: string): Buffer | undefined {
  return bytesOfDataUrl(`data:;base64,${base64}`);
}

/** What bytes in base64 really are. */
export function typeInBase64(base64: string): ImageType | undefined {
  const bytes = bytesOfBase64(base64);
  return bytes && imageTypeOf(bytes);
}
