from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='order',
            name='exported_at',
            field=models.DateTimeField(blank=True, db_index=True, null=True),
        ),
    ]
