from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def take_keys(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    """Give the sites of earlier runs the keys that they have now."""
    run_site, site = apps.get_model("sites", "RunSite"), apps.get_model("sites", "Site")
    now = site.objects.filter(pk=models.OuterRef("site_id")).values("public_key")
    run_site.objects.update(public_key=models.Subquery(now))


class Migration(migrations.Migration):
    dependencies = [("sites", "0001_sites")]

    operations = [
        migrations.AddField(
            model_name="runsite",
            name="public_key",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="siteround",
            name="enough",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="siteround",
            name="masked_sum",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="siteround",
            name="sum_number",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="sitetask",
            name="sum_number",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.RunPython(take_keys, migrations.RunPython.noop),
    ]
