import { Checkbox, Group, SegmentedControl, Slider, Text } from '@mantine/core';
import { useId } from 'react';
import { CHART_AXES, type ChartAxis, type CurveView } from '@/lib/url-state';
import { strings } from '@/strings';
import classes from './curve-controls.module.css';

const text = strings.charts;

interface CurveControlsProps {
  view: CurveView;
  onChange: (view: CurveView) => void;
}

/** What curves are drawn against, on which scales, and how smoothly. */
export function CurveControls({ view, onChange }: CurveControlsProps) {
  const { x = 'rounds', logx = false, logy = false, smooth = 0 } = view;
  const label = useId();
  return (
    <div className={classes['controls']}>
      <SegmentedControl
        size="xs"
        aria-label={text.axis}
        value={x}
        onChange={(next) => {
          onChange({ ...view, x: next });
        }}
        data={CHART_AXES.map((value: ChartAxis) => ({ value, label: text.axes[value] }))}
      />
      <Group gap="sm">
        <Checkbox
          size="xs"
          label={text.logX}
          checked={logx}
          onChange={(event) => {
            onChange({ ...view, logx: event.currentTarget.checked });
          }}
        />
        <Checkbox
          size="xs"
          label={text.logY}
          checked={logy}
          onChange={(event) => {
            onChange({ ...view, logy: event.currentTarget.checked });
          }}
        />
      </Group>
      <div className={classes['smooth']}>
        <Text size="xs" id={label}>
          {text.smoothing}
        </Text>
        <Slider
          className={classes['slider'] ?? ''}
          size="sm"
          min={0}
          max={0.98}
          step={0.02}
          value={smooth}
          onChange={(next) => {
            onChange({ ...view, smooth: next });
          }}
          label={(value) => value.toFixed(2)}
          thumbProps={{ 'aria-labelledby': label }}
        />
      </div>
    </div>
  );
}
