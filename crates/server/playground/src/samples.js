// The tabs that a new session opens with; the queries themselves are files, checked against the schema by the build.
import audience from "./samples/audience.graphql";
import creators from "./samples/creators.graphql";
import dashboard from "./samples/dashboard.graphql";
import hashtag from "./samples/hashtag.graphql";
import privacy from "./samples/privacy.graphql";
import status from "./samples/status.graphql";
import video from "./samples/video.graphql";

const PLACEHOLDER = "an id from the Creators tab";

/** Sample tabs; `creator` fills every creator's `id` when the address named one. */
export function sampleTabs(creator) {
  const id = creator ?? PLACEHOLDER;
  return [
    tab(dashboard, { id }),
    tab(audience, { id, window: { kind: "LAST_28_DAYS" } }),
    tab(video, { id }),
    tab(hashtag, { name: "dance" }),
    tab(creators, { first: 10 }),
    tab(privacy),
    tab(status),
  ];
}

function tab(query, variables) {
  return { query, variables: variables && JSON.stringify(variables, null, 2) };
}
