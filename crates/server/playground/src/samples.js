// The tabs that a new session opens with; the queries themselves are files, checked against the schema by the build.
import creators from "./samples/creators.graphql";
import dashboard from "./samples/dashboard.graphql";
import hashtag from "./samples/hashtag.graphql";
import privacy from "./samples/privacy.graphql";
import status from "./samples/status.graphql";
import video from "./samples/video.graphql";

const PLACEHOLDER = "…";

/** Sample tabs; `creator` fills the dashboard's `id` when the address named one. */
export function sampleTabs(creator) {
  return [
    tab(dashboard, { id: creator ?? PLACEHOLDER }),
    tab(privacy),
    tab(status),
    tab(creators, { first: 10 }),
    tab(video, { id: PLACEHOLDER }),
    tab(hashtag, { name: "dance" }),
  ];
}

function tab(query, variables) {
  return { query, variables: variables && JSON.stringify(variables, null, 2) };
}
