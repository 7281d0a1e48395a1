"""Create the table of candles."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Create the table, with one row for each candle of a room."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Candle",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "symbol",
                    models.CharField(
                        help_text="As in FX:EURUSD.", max_length=61, verbose_name="symbol"
                    ),
                ),
                (
                    "timeframe",
                    models.CharField(
                        help_text="As in 60 or 1D.", max_length=8, verbose_name="timeframe"
                    ),
                ),
                (
                    "t",
                    models.BigIntegerField(
                        help_text="When it opened, in unix seconds.", verbose_name="t"
                    ),
                ),
                ("open", models.FloatField(verbose_name="open")),
                ("high", models.FloatField(verbose_name="high")),
                ("low", models.FloatField(verbose_name="low")),
                ("close", models.FloatField(verbose_name="close")),
                ("volume", models.FloatField(null=True, verbose_name="volume")),
            ],
            options={
                "verbose_name": "candle",
                "verbose_name_plural": "candles",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("symbol", "timeframe", "t"), name="fcs_candles_candle_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("t__gte", 0), ("t__lte", 32503680000)),
                        name="fcs_candles_candle_seconds",
                    ),
                ],
            },
        ),
    ]
