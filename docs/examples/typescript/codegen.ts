import type { CodegenConfig } from "@graphql-codegen/cli";

// A server's own schema does as well: "http://127.0.0.1:8080/schema.graphql".
const config: CodegenConfig = {
  schema: "../../../schema/schema.graphql",
  documents: "src/*.ts",
  generates: {
    "src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: "string",
        enumsAsTypes: true,
        useTypeImports: true,
        scalars: { Date: "string", DateTime: "string", CountryCode: "string" },
      },
    },
  },
  emitLegacyCommonJSImports: false,
};

export default config;
