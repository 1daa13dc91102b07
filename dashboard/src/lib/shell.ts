// What the frame knows once the first view has been answered: the channels and the policy. Kept until the token changes, so
// every view needs one question only.
import { createContext, useContext, useState } from "react";
import type { InsightFamily, EntityKind, ShellFragment, WindowKind } from "../gql/graphql";
import { KINDS } from "./periods";

export type Shell = ShellFragment;
export type ShellState = { shell: Shell | null; learn: (shell: Shell) => void };

export const ShellContext = createContext<ShellState>({ shell: null, learn: () => {} });

export function useShell(): Shell | null {
  return useContext(ShellContext).shell;
}

/** Whether this view's question asks for the frame too. Decided once per view, so that learning it asks nothing again. */
export function useAsksShell(): boolean {
  const { shell } = useContext(ShellContext);
  return useState(shell === null)[0];
}

/** The kinds of window that a family exists for, in the order of the picker; null before the policy is known. */
export function kindsOf(shell: Shell | null, entity: EntityKind, family: InsightFamily = "REACH"): WindowKind[] | null {
  const found = shell?.privacy.catalogue.find((row) => row.entity === entity && row.family === family);
  return found ? KINDS.filter((kind) => found.windows.includes(kind)) : null;
}
