/** Types of the page's questions, from the committed schema. */
export default {
  schema: "../schema/schema.graphql",
  documents: "src/queries/*.graphql",
  generates: {
    "src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: "string", // texts are a tenth of syntax trees
        enumsAsTypes: true,
        useTypeImports: true,
        scalars: { Date: "string", DateTime: "string", CountryCode: "string" },
      },
    },
  },
  emitLegacyCommonJSImports: false,
  silent: true,
};
