// The GraphQL client: an ordinary one of the public API, with the reader's token.
import { type AnyVariables, cacheExchange, Client, type CombinedError, fetchExchange, type TypedDocumentNode, useQuery } from "urql";
import { useEffect, useState } from "react";
import type { TypedDocumentString } from "../gql/graphql";
import { token } from "./session";

export function makeClient(): Client {
  return new Client({
    url: new URL("graphql", document.baseURI).href,
    exchanges: [cacheExchange, fetchExchange],
    preferGetMethod: false,
    fetchOptions: () => ({ headers: { Authorization: `Bearer ${token() ?? ""}` } }),
  });
}

export type Failure =
  | { kind: "unauthenticated" }
  | { kind: "limited"; seconds: number }
  | { kind: "unreachable" }
  | { kind: "refused"; code: string; message: string };

export type Asked<Data> = { data: Data | null; failure: Failure | null; fetching: boolean; again: () => void };

/** How long to wait where a server that is busy does not say. */
const WAIT_SECONDS = 5;

/** Asks one document, and waits as long as a busy server says before it asks again. */
export function useAsked<Data, Variables extends AnyVariables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  pause = false,
): Asked<Data> {
  const text = document.toString() as unknown as TypedDocumentNode<Data, Variables>;
  const [result, execute] = useQuery<Data, Variables>({ query: text, variables, pause } as Parameters<typeof useQuery<Data, Variables>>[0]);
  const again = () => execute({ requestPolicy: "network-only" });
  const failure = result.error ? failureOf(result.error) : null;
  const wait = failure?.kind === "limited" ? failure.seconds : null;
  const { error } = result;
  useEffect(() => {
    if (wait === null) return;
    const timer = setTimeout(again, wait * 1_000);
    return () => clearTimeout(timer);
    // Each answer is an error of its own, and is waited for once.
  }, [error]);
  return { data: result.data ?? null, failure, fetching: result.fetching, again };
}

export function failureOf(error: CombinedError): Failure {
  const response = error.response as Response | undefined;
  const [first] = error.graphQLErrors;
  const code = String(first?.extensions?.code ?? "");
  if (code === "UNAUTHENTICATED" || response?.status === 401) return { kind: "unauthenticated" };
  if (response?.status === 429 || response?.status === 503 || code === "RATE_LIMITED")
    return { kind: "limited", seconds: retryAfter(response?.headers?.get("Retry-After") ?? String(first?.extensions?.retryAfter ?? "")) };
  if (first) return { kind: "refused", code, message: first.message };
  return response ? { kind: "refused", code: String(response.status), message: error.message } : { kind: "unreachable" };
}

/** RFC 9110 §10.2.3: seconds, or a date. */
export function retryAfter(header: string | null, now = Date.now()): number {
  if (header === null || header.trim() === "") return WAIT_SECONDS;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(1, Math.ceil(seconds));
  const date = Date.parse(header);
  return Number.isNaN(date) ? WAIT_SECONDS : Math.max(1, Math.ceil((date - now) / 1_000));
}

/** Seconds until then, counting down. */
export function useCountdown(seconds: number, key: unknown): number {
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    setLeft(seconds);
    const timer = setInterval(() => setLeft((left) => Math.max(0, left - 1)), 1_000);
    return () => clearInterval(timer);
  }, [seconds, key]);
  return left;
}
