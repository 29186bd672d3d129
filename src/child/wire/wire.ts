/** One wire format at one endpoint: sends a request and delivers the parts of the response as they arrive. */
import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { Route } from "../../route.ts";
import type { OnActivity } from "./event-stream.ts";
import type { Receive } from "./reply/reply-builder.ts";
import type { Fetch } from "./transport.ts";

/** Resolves at the end of the response. @param onActivity is called whenever a piece of it arrives */
export type Wire = (
  options: LanguageModelV4CallOptions,
  fetch: Fetch,
  receive: Receive,
  onActivity: OnActivity,
) => Promise<void>;

/** The part of a route that all requests over one wire share. Their options hold the rest, such as the effort. */
export type WireRoute = Pick<Route, "provider" | "model" | "endpoint">;
