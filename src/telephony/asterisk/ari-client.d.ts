/** The part of ari-client 2.2.0 that Holdfast touches; the package ships no types. */
declare module 'ari-client' {
  /** A response as swagger-client hands it out; `data` is the body as text or bytes. */
  export interface SwaggerResponse {
    readonly status: number;
    readonly data?: { toString(encoding: 'utf-8'): string } | string | null;
  }
  export type SwaggerOperation = (
    parameters: Record<string, unknown>,
    onSuccess: (response: SwaggerResponse) => void,
    onFailure: (response: SwaggerResponse | string | undefined) => void,
  ) => void;
  export interface Client {
    /** The live API description of the PBX, one callable per operation. */
    readonly _swagger: { readonly apis: Record<string, Record<string, SwaggerOperation> | undefined> };
  }
  const ariClient: { connect(url: string, username: string, password: string): PromiseLike<Client> };
  export default ariClient;
}
