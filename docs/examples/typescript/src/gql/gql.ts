/* eslint-disable */
import * as types from './graphql.js';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  query Dashboard($id: ID!) {\n    creator(id: $id) {\n      id\n      handle\n      counters(range: { last: 28 }, compareTo: PREVIOUS_PERIOD) {\n        range { from to }\n        views { ...Number }\n        likes { ...Number }\n        shares { ...Number }\n      }\n      audience(window: { kind: LAST_28_DAYS }) {\n        window { from to }\n        reach { ...Number }\n        breakdown(by: COUNTRY, first: 5) {\n          rows { key measure { ...Number } }\n          other { ...Number }\n        }\n      }\n      topVideos(range: { last: 28 }, by: VIEWS, first: 3) {\n        video { id title }\n        value { ...Number }\n      }\n    }\n  }\n  fragment Number on Measure { value disclosure marginOfError change }\n": typeof types.DashboardDocument,
};
const documents: Documents = {
    "\n  query Dashboard($id: ID!) {\n    creator(id: $id) {\n      id\n      handle\n      counters(range: { last: 28 }, compareTo: PREVIOUS_PERIOD) {\n        range { from to }\n        views { ...Number }\n        likes { ...Number }\n        shares { ...Number }\n      }\n      audience(window: { kind: LAST_28_DAYS }) {\n        window { from to }\n        reach { ...Number }\n        breakdown(by: COUNTRY, first: 5) {\n          rows { key measure { ...Number } }\n          other { ...Number }\n        }\n      }\n      topVideos(range: { last: 28 }, by: VIEWS, first: 3) {\n        video { id title }\n        value { ...Number }\n      }\n    }\n  }\n  fragment Number on Measure { value disclosure marginOfError change }\n": types.DashboardDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Dashboard($id: ID!) {\n    creator(id: $id) {\n      id\n      handle\n      counters(range: { last: 28 }, compareTo: PREVIOUS_PERIOD) {\n        range { from to }\n        views { ...Number }\n        likes { ...Number }\n        shares { ...Number }\n      }\n      audience(window: { kind: LAST_28_DAYS }) {\n        window { from to }\n        reach { ...Number }\n        breakdown(by: COUNTRY, first: 5) {\n          rows { key measure { ...Number } }\n          other { ...Number }\n        }\n      }\n      topVideos(range: { last: 28 }, by: VIEWS, first: 3) {\n        video { id title }\n        value { ...Number }\n      }\n    }\n  }\n  fragment Number on Measure { value disclosure marginOfError change }\n"): typeof import('./graphql.js').DashboardDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
