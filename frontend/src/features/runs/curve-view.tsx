import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { CurveControls } from '@/components/charts/curve-controls';
import { curveSearch, type CurveView } from '@/lib/url-state';

const route = getRouteApi('/member/runs/$runId');

/** How the address wants curves to be drawn. */
export function useCurveView(): Required<CurveView> {
  const { x = 'rounds', logx = false, logy = false, smooth = 0 } = route.useSearch();
  return useMemo(() => ({ x, logx, logy, smooth }), [x, logx, logy, smooth]);
}

/** Controls that write into the address. */
export function RunCurveControls() {
  const view = useCurveView();
  const navigate = route.useNavigate();
  return (
    <CurveControls
      view={view}
      onChange={(next) => {
        void navigate({
          search: ({ tab }) => ({ ...(tab !== undefined && { tab }), ...curveSearch(next) }),
          replace: true,
          resetScroll: false,
        });
      }}
    />
  );
}
