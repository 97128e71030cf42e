import { Anchor, Button, type AnchorProps, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, Ref } from 'react';

type LinkAttributes = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof ButtonProps> & {
  ref?: Ref<HTMLAnchorElement>;
};

/** A link to a screen that looks like a button. */
export const ButtonLink = createLink(function ButtonAnchor(props: ButtonProps & LinkAttributes) {
  return <Button component="a" {...props} />;
});

/** A link to a screen. */
export const TextLink = createLink(function TextAnchor(props: AnchorProps & LinkAttributes) {
  return <Anchor {...props} />;
});
