from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sites", "0002_secure_sums")]

    operations = [
        migrations.AddField(
            model_name="siteround",
            name="due",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="siteround",
            name="flights",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="siteround",
            name="landed",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="siteround",
            name="replaced",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
