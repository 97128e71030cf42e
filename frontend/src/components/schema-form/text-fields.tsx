import { Slider, TextInput } from '@mantine/core';
import { useState } from 'react';
import { textOf, type Json } from '@/lib/document-path';
import type { JsonSchema } from '@/lib/json-schema';
import { strings } from '@/strings';
import { useField, type FieldProps } from './field-props';
import { ResetButton } from './reset-button';

interface DraftFieldProps extends FieldProps {
  /** The document's value as text. */
  print: (value: Json | undefined) => string;
  /** Text as the document's value; what cannot be read is passed on as text for the server. */
  read: (text: string) => Json;
  inputMode?: 'decimal' | 'numeric' | 'text';
  placeholder?: string | undefined;
}

/** A text input that keeps what is being typed ("1e-", "200, ") until it is left. */
function DraftField({ print, read, inputMode, placeholder, ...field }: DraftFieldProps) {
  const { value, defaultValue, setValue, frame, range } = useField(field);
  const [draft, setDraft] = useState<string | null>(null);
  const input = (
    <TextInput
      {...frame}
      size="sm"
      autoComplete="off"
      spellCheck={false}
      inputMode={inputMode}
      placeholder={placeholder}
      value={draft ?? print(value)}
      onChange={(event) => {
        setDraft(event.currentTarget.value);
        setValue(read(event.currentTarget.value));
      }}
      onBlur={() => {
        setDraft(null);
      }}
      rightSection={
        <ResetButton
          label={frame.label}
          value={value}
          defaultValue={defaultValue}
          onReset={(next) => {
            setDraft(null);
            setValue(next);
          }}
        />
      }
    />
  );
  if (range === undefined) return input;
  return (
    <div>
      {input}
      <RangeSlider
        label={strings.form.drag(frame.label)}
        range={range}
        value={value}
        onChange={(next) => {
          setDraft(null);
          setValue(next);
        }}
      />
    </div>
  );
}

type Range = NonNullable<JsonSchema['x-slider']>;

interface RangeSliderProps {
  label: string;
  range: Range;
  value: Json | undefined;
  onChange: (value: number) => void;
}

/** The useful values of a number, to be dragged over; others can be typed. */
function RangeSlider({ label, range: { low, high, scale }, value, onChange }: RangeSliderProps) {
  const isLog = scale === 'log';
  const [from, to] = isLog ? [Math.log10(low), Math.log10(high)] : [low, high];
  const valueOf = (place: number) => Number((isLog ? 10 ** place : place).toPrecision(2));
  const given = typeof value === 'number' && value > 0 ? value : low;
  const place = Math.min(to, Math.max(from, isLog ? Math.log10(given) : given));
  return (
    <Slider
      mt={8}
      size="sm"
      min={from}
      max={to}
      step={isLog ? 0.05 : (to - from) / 100}
      value={place}
      onChange={(next) => {
        onChange(valueOf(next));
      }}
      label={(next) => String(valueOf(next))}
      thumbLabel={label}
    />
  );
}

/** A number; text that is none stays text, and the server says what is wrong with it. */
function readNumber(text: string): Json {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : trimmed;
}

export function NumberField({
  integer,
  nullable,
  ...field
}: FieldProps & { integer: boolean; nullable: boolean }) {
  return (
    <DraftField
      {...field}
      print={textOf}
      read={readNumber}
      inputMode={integer ? 'numeric' : 'decimal'}
      placeholder={nullable ? strings.form.notSet : undefined}
    />
  );
}

export function TextField({ nullable, ...field }: FieldProps & { nullable: boolean }) {
  return (
    <DraftField
      {...field}
      print={textOf}
      read={(text) => (nullable && text === '' ? null : text)}
      placeholder={nullable ? strings.form.notSet : undefined}
    />
  );
}

const SEPARATORS = { numbers: /[\s,;x×]+/, texts: /,/ };

interface ListInputProps extends FieldProps {
  of: keyof typeof SEPARATORS;
  nullable: boolean;
}

/** A list of numbers or words, typed with commas: "200, 200". */
export function ScalarListField({ of, nullable, ...field }: ListInputProps) {
  return (
    <DraftField
      {...field}
      print={(value) => (Array.isArray(value) ? value.map(textOf).join(', ') : textOf(value))}
      read={(text) => {
        const parts = text.split(SEPARATORS[of]).map((part) => part.trim());
        const entries = parts.filter((part) => part !== '');
        if (nullable && entries.length === 0) return null;
        return of === 'numbers' ? entries.map(readNumber) : entries;
      }}
      placeholder={nullable ? strings.form.notSet : strings.form.listPlaceholder}
    />
  );
}
