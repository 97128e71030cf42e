import classes from './tag-list.module.css';

/** The tags of a run, as words. */
export function TagList({ tags }: { tags: readonly string[] }) {
  return (
    <span className={classes['tags']}>
      {tags.map((tag) => (
        <span key={tag} className={classes['tag']}>
          {tag}
        </span>
      ))}
    </span>
  );
}
