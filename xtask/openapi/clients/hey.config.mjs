// Clients of both documents by @hey-api/openapi-ts. `tsc` wants the extensions that Node wants.
const of = (name) => ({
  input: `${process.env.KEYWARD_DOCUMENTS}/${name}.json`,
  output: { path: `hey/${name}`, importFileExtension: ".js" },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
  logs: { file: false },
});

export default [of("management"), of("gateway")];
