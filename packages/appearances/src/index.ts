export { createAppearance } from './create-appearance.ts';
export { AppearanceFonts, type FontFiles, locateFontFiles } from './font/appearance-fonts.ts';
export { fontLimits } from './font/font-limits.ts';
export type { AddedFont } from './font/read-added-font.ts';
export type { AppearanceContext } from './request/appearance-context.ts';
export { appearanceJsonSchema } from './request/appearance-json-schema.ts';
export { appearanceLimits } from './request/appearance-limits.ts';
export type {
  Alignment,
  AnchorRequest,
  AppearanceRequest,
  AppearanceTemplate,
  Colour,
  DateFormat,
  ShownRectangle,
} from './request/appearance-request.ts';
export { parseAppearance } from './request/parse-appearance.ts';
