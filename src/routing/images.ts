/**
 * Checks the images of a task before it starts: each exists, is an image, is small enough, and suits the route's API;
 * the model is not known to reject images. The provider fetches URLs: nothing is sent from here.
 */
import type { Problem, Warning } from "../errors.ts";
import {
  bytesOfDataUrl,
  type ImageRef,
  type ImageType,
  imageTypeIn,
  imageTypeOf,
  isDataUrl,
  NO_IMAGE,
  sha256Of,
} from "../image.ts";
import { IMAGE_LIMITS, megabytes, plainType } from "../image-limits.ts";
import { type ApiMode, type Route, routeName } from "../route.ts";
import type { Task } from "../task.ts";
import { present } from "../values/present.ts";
import type { Catalog } from "./catalog/catalog.ts";
import { defaultModelOf } from "./catalog/providers.ts";
import type { Credentials } from "./keys/credentials.ts";

/** Describes a file or says, in one sentence, why it is unusable. Paths are limited to the workspace. */
export type LookAtImage = (
  workspace: string,
  path: string,
) => { mediaType: ImageType; bytes: number; sha256: string } | { unusable: string };

export type ImageDeps = { credentials: Credentials; catalog: Catalog; lookAtImage: LookAtImage };

type Seen = { images: ImageRef[] } | { problem: Problem };
type Fitted = { route: Route; images: ImageRef[] } | { problem: Problem };

/**
 * Why an API does not fetch a URL; undefined if it does. Gemini fetches `https:` URLs, except for its 2.0 models, and
 * needs the type.
 */
const REFUSES_URL: Partial<Record<ApiMode, (url: string, route: Route) => string | undefined>> = {
  anthropic_messages: (_, { endpoint }) =>
    endpoint.framing === "converse" ? "Amazon Bedrock fetches no URLs" : undefined,
  gemini(url, { model }) {
    if (!url.startsWith("https:")) return "Gemini fetches https: URLs only";
    if (/(^|\/)gemini-2\.0/.test(model)) return `${model} fetches no URLs`;
    if (imageTypeIn(new URL(url)) === undefined)
      return "Gemini needs the type, and the URL does not end in .png, .jpg or .webp";
    return undefined;
  },
};

/** Checks a task's images against its route, and the route against the images. Reads each file once. */
export function createImagePlanner(deps: ImageDeps): (task: Task, route: Route, workspace: string) => Fitted {
  const files = new Map<string, ReturnType<LookAtImage>>();

  function lookAt(workspace: string, path: string): ReturnType<LookAtImage> {
    const id = JSON.stringify([workspace, path]);
    const found = files.get(id) ?? deps.lookAtImage(workspace, path);
    files.set(id, found);
    return found;
  }

  function see(written: string, index: number, workspace: string): ImageRef | { unusable: string } {
    if (isDataUrl(written)) return seeData(written, `image ${index + 1}`);
    if (/^[a-z][a-z\d+.-]*:\/\//i.test(written)) return seeUrl(written);
    const found = lookAt(workspace, written);
    return "unusable" in found ? found : { from: "file", name: written, ...found };
  }

  function seeAll({ images = [] }: Task, workspace: string): Seen {
    const refs: ImageRef[] = [];
    for (const [index, written] of images.entries()) {
      const seen = see(written, index, workspace);
      if ("unusable" in seen) return { problem: unusable(written, seen.unusable) };
      refs.push(seen);
    }
    return { images: refs };
  }

  return (task, route, workspace) => {
    const seen = seeAll(task, workspace);
    if ("problem" in seen || seen.images.length === 0) return "problem" in seen ? seen : { route, images: [] };
    const { images } = seen;
    if (route.facts.vision === false) return { problem: noVision(route, modelsWithVision(deps, route.provider)) };
    const misfit = misfitOf(images, route);
    if (misfit !== undefined) return { problem: misfit };
    return { images, route: withFittingFallbacks(route, images) };
  };
}

function seeData(written: string, name: string): ImageRef | { unusable: string } {
  const bytes = bytesOfDataUrl(written);
  if (bytes === undefined) return { unusable: "expected data:image/…;base64, and its bytes; found something else" };
  const mediaType = imageTypeOf(bytes);
  if (mediaType === undefined) return { unusable: NO_IMAGE };
  return { from: "data", name, mediaType, bytes: bytes.length, sha256: sha256Of(bytes) };
}

function seeUrl(written: string): ImageRef | { unusable: string } {
  const url = URL.parse(written);
  if (url === null || !/^https?:$/.test(url.protocol)) return { unusable: "expected an http(s) URL, or a path" };
  if (url.username !== "" || url.password !== "") return { unusable: "expected a URL without a user name; found one" };
  const mediaType = imageTypeIn(url);
  return { from: "url", name: url.href, ...present({ mediaType }) };
}

/** The first reason for which a route's API rejects these images. */
function misfitOf(images: readonly ImageRef[], route: Route): Problem | undefined {
  const { apiMode } = route.endpoint;
  const { types, maxBytes, maxTotalBytes } = IMAGE_LIMITS[apiMode];
  for (const image of images) {
    const { name, mediaType } = image;
    const refused = image.from === "url" ? REFUSES_URL[apiMode]?.(name, route) : undefined;
    if (refused !== undefined) return misfit(name, `${refused}. Give it as a file`);
    if (mediaType !== undefined && !types.includes(mediaType))
      return misfit(
        name,
        `the API of ${routeName(route)} takes ${types.map(plainType).join(", ")}; found ${plainType(mediaType)}`,
      );
    if (bytesOf(image) > maxBytes)
      return unusable(
        name,
        `expected at most ${megabytes(maxBytes)} for ${routeName(route)}; found ${megabytes(bytesOf(image))}`,
      );
  }
  const total = images.reduce((sum, image) => sum + bytesOf(image), 0);
  if (total <= maxTotalBytes) return undefined;
  const found = `expected at most ${megabytes(maxTotalBytes)} together for ${routeName(route)}; found ${megabytes(total)}`;
  return unusable(`${images.length} images`, found);
}

function bytesOf(image: ImageRef): number {
  return image.from === "url" ? 0 : image.bytes;
}

/** Removes the fallbacks that reject these images. Warns if the model is not known to accept any. */
function withFittingFallbacks(route: Route, images: readonly ImageRef[]): Route {
  const isFit = (fallback: Route) => fallback.facts.vision !== false && misfitOf(images, fallback) === undefined;
  const unfit = route.fallbacks.filter((fallback) => !isFit(fallback));
  const warnings: Warning[] = unfit.map((fallback) => ({
    code: "fallback-unusable",
    message: `The declared fallback ${routeName(fallback)} cannot be used: it does not accept the task's images.`,
  }));
  if (route.facts.vision === undefined)
    warnings.unshift({
      code: "vision-unknown",
      message: `It is not known whether ${routeName(route)} accepts images: it is tried.`,
    });
  return { ...route, fallbacks: route.fallbacks.filter(isFit), warnings: [...route.warnings, ...warnings] };
}

/** This user's models that are known to accept images, those of the same provider first. */
function modelsWithVision({ credentials, catalog }: ImageDeps, current: string): string[] {
  const usable = credentials.usable();
  const providers = [
    ...usable.filter(({ slug }) => slug === current),
    ...usable.filter(({ slug }) => slug !== current),
  ];
  return providers
    .flatMap((provider) => {
      const first = defaultModelOf(provider);
      const known = new Set([...(first === undefined ? [] : [first]), ...catalog.modelsOf(provider)]);
      const seeing = [...known].filter((model) => catalog.factsOf(provider, model).vision === true);
      return seeing
        .slice(0, MOST_OF_ONE)
        .map((model) => (provider.slug === current ? model : `${model} --provider ${provider.slug}`));
    })
    .slice(0, MOST_SUGGESTED);
}

const MOST_OF_ONE = 3;
const MOST_SUGGESTED = 8;

function noVision(route: Route, suggestions: string[]): Problem {
  const known = suggestions.length === 0 ? "None of your models is known to." : `These do: ${suggestions.join(", ")}.`;
  return {
    code: "images-unsupported",
    field: "images",
    message: `Expected a model that accepts images; found ${routeName(route)}, which does not. ${known}`,
    suggestions,
  };
}

function misfit(name: string, reason: string): Problem {
  return { code: "images-unsupported", field: "images", message: `${inShort(name)}: ${reason}.`, suggestions: [] };
}

/** Reasons may start with the name. */
function unusable(name: string, reason: string): Problem {
  const said = reason.startsWith(name) ? reason : `${inShort(name)}: ${reason}`;
  return { code: "image-unusable", field: "images", message: `${said.replace(/\.$/, "")}.`, suggestions: [] };
}

function inShort(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
