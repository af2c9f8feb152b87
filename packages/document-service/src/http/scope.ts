/** What an API key may do. */
export const scopes = ['seals:write', 'seals:digest', 'seals:read', 'credentials:read'] as const;

export type Scope = (typeof scopes)[number];
