// What an application writes for Relay: compiled, and its queries asked; never run itself.
import { graphql } from "react-relay";

export const query = graphql`
  query ChannelQuery($id: ID!) {
    node(id: $id) {
      __typename
      ...Channel_creator @alias(as: "creator")
    }
    ...Channel_channels
  }
`;

export const creator = graphql`
  fragment Channel_creator on Creator @refetchable(queryName: "ChannelRefetchQuery") {
    handle
    counters(range: { last: 28 }) {
      views {
        ...Channel_measure
      }
    }
    ...Channel_videos
  }
`;

export const measure = graphql`
  fragment Channel_measure on Measure {
    value
    disclosure
  }
`;

export const videos = graphql`
  fragment Channel_videos on Creator
  @argumentDefinitions(count: { type: "Int", defaultValue: 1 }, cursor: { type: "String" })
  @refetchable(queryName: "ChannelVideosQuery") {
    videos(first: $count, after: $cursor, orderBy: NEWEST) @connection(key: "Channel_videos") {
      edges {
        node {
          id
          title
        }
      }
    }
  }
`;

export const channels = graphql`
  fragment Channel_channels on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "ChannelChannelsQuery") {
    creators(first: $count, after: $cursor) @connection(key: "Channel_creators") {
      edges {
        node {
          id
        }
      }
    }
  }
`;
