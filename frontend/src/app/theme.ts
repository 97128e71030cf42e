import {
  Button,
  createTheme,
  InputWrapper,
  SegmentedControl,
  type MantineColorsTuple,
} from '@mantine/core';
import classes from './theme.module.css';

/** Brunswick green, the colour locomotives were painted in. */
const brunswick: MantineColorsTuple = [
  '#ecf7f2',
  '#d5ece1',
  '#a9d8c3',
  '#79c2a3',
  '#4fbf91',
  '#2f9f73',
  '#1b7f5a',
  '#17704f',
  '#125c41',
  '#0c4330',
];

const red: MantineColorsTuple = [
  '#fdeceb',
  '#fbd5d2',
  '#f5aaa4',
  '#f08a82',
  '#e85a50',
  '#dd4237',
  '#c9342a',
  '#b3261e',
  '#94201a',
  '#741a15',
];

/** Neutral greys with a little green in them. */
const gray: MantineColorsTuple = [
  '#f7f8f6',
  '#f0f2ef',
  '#e8ebe7',
  '#e2e5e0',
  '#cbd0ca',
  '#a8afa9',
  '#7f8781',
  '#59615d',
  '#363d39',
  '#161a18',
];

/** The same for the dark scheme, from text (0) to the page (9). */
const dark: MantineColorsTuple = [
  '#e6ebe8',
  '#b9c2bd',
  '#98a39d',
  '#59625d',
  '#3a433f',
  '#262d2a',
  '#161b19',
  '#121715',
  '#0f1312',
  '#0a0d0c',
];

export const theme = createTheme({
  primaryColor: 'brunswick',
  // Both carry white text at a contrast of 4.5 or more.
  primaryShade: { light: 7, dark: 6 },
  colors: { brunswick, red, gray, dark },
  defaultRadius: 6,
  components: {
    Button: Button.extend({ classNames: { root: classes['button'] ?? '' } }),
    SegmentedControl: SegmentedControl.extend({ classNames: { label: classes['segment'] ?? '' } }),
    InputWrapper: InputWrapper.extend({
      // Descriptions below the inputs, so that inputs side by side are level.
      defaultProps: { inputWrapperOrder: ['label', 'input', 'error', 'description'] },
      vars: () => ({
        label: {},
        success: {},
        error: { '--input-error-size': '0.75rem' },
        description: { '--input-description-size': '0.75rem' },
      }),
    }),
  },
  fontFamily:
    "ui-sans-serif, -apple-system, BlinkMacSystemFont, Inter, 'Segoe UI Variable Text', 'Segoe UI', " +
    "Roboto, 'Noto Sans', 'Liberation Sans', sans-serif",
  fontFamilyMonospace:
    "ui-monospace, 'SF Mono', 'Cascadia Mono', 'JetBrains Mono', Menlo, Consolas, 'Liberation Mono', monospace",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  headings: {
    fontWeight: '600',
    sizes: {
      h1: { fontSize: '1.25rem', lineHeight: '1.3' },
      h2: { fontSize: '0.9375rem', lineHeight: '1.4' },
      h3: { fontSize: '0.8125rem', lineHeight: '1.4' },
    },
  },
  cursorType: 'pointer',
});
