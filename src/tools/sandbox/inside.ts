/** Where things are inside of a sandbox. */

/** What Deputy itself brings: nothing of it is secret, and all of it is read-only. */
const DEPUTY = "/run/deputy";
export const NODE = `${DEPUTY}/node`;
/** The code of the runner, and the `package.json` that says how to read it. */
export const CODE = `${DEPUTY}/code`;
export const PACKAGE = `${DEPUTY}/package.json`;
export const NETWORK_SOCKET = `${DEPUTY}/network`;
/** Loopback port of the proxy. */
export const PROXY_PORT = 3128;

const PROXY = `http://127.0.0.1:${PROXY_PORT}`;
const NEAR = "localhost,127.0.0.1,::1";

/** Variables that lead programs to the proxy. Node reads them with `NODE_USE_ENV_PROXY`. */
export const PROXY_VARIABLES: Readonly<Record<string, string>> = {
  ...{
    HTTP_PROXY: PROXY,
    HTTPS_PROXY: PROXY,
    http_proxy: PROXY,
    https_proxy: PROXY,
    ALL_PROXY: PROXY,
    all_proxy: PROXY,
  },
  ...{ NO_PROXY: NEAR, no_proxy: NEAR, NODE_USE_ENV_PROXY: "1" },
};
