// What the frame knows once the first view has been answered: the channels and the policy. Kept until the token changes, so
// every view needs one question only.
import { createContext, useContext, useState } from "react";
import type { EntityKind, InsightFamily, ShellFragment, TypedDocumentString, WindowKind } from "../gql/graphql";
import { type Asked, useAsked } from "./client";
import { KINDS } from "./periods";

export type Shell = ShellFragment;
export type ShellState = { shell: Shell | null; learn: (shell: Shell) => void };

export const ShellContext = createContext<ShellState>({ shell: null, learn: () => {} });

export function useShell(): Shell | null {
  return useContext(ShellContext).shell;
}

/** Asks a view's question, and for the frame with it until that is known. Learning it asks nothing again. */
export function useView<Data, Variables extends { shell: boolean }>(document: TypedDocumentString<Data, Variables>, question: Omit<Variables, "shell">, pause = false): Asked<Data> {
  const { shell } = useContext(ShellContext);
  const key = JSON.stringify(question);
  const [asking, setAsking] = useState({ key, shell: shell === null });
  // Decided once for each question, so that it stays the same question once the frame is known.
  const now = asking.key === key ? asking : { key, shell: shell === null };
  if (now !== asking) setAsking(now);
  return useAsked(document, { ...question, shell: now.shell } as Variables, pause);
}

/** The kinds of window that a family exists for, in the order of the picker; null before the policy is known. */
export function kindsOf(shell: Shell | null, entity: EntityKind, family: InsightFamily = "REACH"): WindowKind[] | null {
  const found = shell?.privacy.catalogue.find((row) => row.entity === entity && row.family === family);
  return found ? KINDS.filter((kind) => found.windows.includes(kind)) : null;
}
