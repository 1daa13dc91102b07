/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** What a measure says. */
export type Disclosure =
  /** `value` is the exact number. */
  | 'EXACT'
  /** `value` is the number with noise, `marginOfError` says how much. Not used under the protection THRESHOLD. */
  | 'NOISY'
  /**
   * There is no such number: a ratio without denominator, a position in a video of unknown length, a family that this
   * entity does not have, or a window whose events have been dropped for their age.
   */
  | 'NOT_APPLICABLE'
  /** The days asked for are not all sealed yet. Ask again when the creator's `sealedThrough` has passed them. */
  | 'NOT_SEALED'
  /** Too few viewers stand behind the number, or showing it would give such a number away. The same for none and for few. */
  | 'WITHHELD';

export type DashboardQueryVariables = Exact<{
  id: string | number;
}>;


export type DashboardQuery = { creator: { id: string, handle: string | null, counters: { range: { from: string, to: string }, views: { value: number | null, disclosure: Disclosure, marginOfError: number | null, change: number | null }, likes: { value: number | null, disclosure: Disclosure, marginOfError: number | null, change: number | null }, shares: { value: number | null, disclosure: Disclosure, marginOfError: number | null, change: number | null } }, audience: { window: { from: string, to: string }, reach: { value: number | null, disclosure: Disclosure, marginOfError: number | null, change: number | null }, breakdown: { rows: Array<{ key: string, measure: { value: number | null, disclosure: Disclosure, marginOfError: number | null, change: number | null } }>, other: { value: number | null, disclosure: Disclosure, marginOfError: number | null, change: number | null } } }, topVideos: Array<{ video: { id: string, title: string | null }, value: { value: number | null, disclosure: Disclosure, marginOfError: number | null, change: number | null } }> } | null };

export type NumberFragment = { value: number | null, disclosure: Disclosure, marginOfError: number | null, change: number | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const NumberFragmentDoc = new TypedDocumentString(`
    fragment Number on Measure {
  value
  disclosure
  marginOfError
  change
}
    `, {"fragmentName":"Number"}) as unknown as TypedDocumentString<NumberFragment, unknown>;
export const DashboardDocument = new TypedDocumentString(`
    query Dashboard($id: ID!) {
  creator(id: $id) {
    id
    handle
    counters(range: {last: 28}, compareTo: PREVIOUS_PERIOD) {
      range {
        from
        to
      }
      views {
        ...Number
      }
      likes {
        ...Number
      }
      shares {
        ...Number
      }
    }
    audience(window: {kind: LAST_28_DAYS}) {
      window {
        from
        to
      }
      reach {
        ...Number
      }
      breakdown(by: COUNTRY, first: 5) {
        rows {
          key
          measure {
            ...Number
          }
        }
        other {
          ...Number
        }
      }
    }
    topVideos(range: {last: 28}, by: VIEWS, first: 3) {
      video {
        id
        title
      }
      value {
        ...Number
      }
    }
  }
}
    fragment Number on Measure {
  value
  disclosure
  marginOfError
  change
}`) as unknown as TypedDocumentString<DashboardQuery, DashboardQueryVariables>;