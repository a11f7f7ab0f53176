# One rule for each mode. Small files are compared by content and large ones only by date, and a date must not retrain
# anything: so the stamp, which holds the checksum, stands for the data set, and run.json for a frozen model. The array
# file and the model themselves are ancient(). What decides a model is the fingerprint in its path, not a parameter.
for mode in pipeline.modes:

    rule:
        name:
            f"train_{mode.name}"
        input:
            stamp=lambda wildcards: pipeline.dataset_stamp(wildcards.task),
            data=ancient(lambda wildcards: pipeline.dataset(wildcards.task)),
            frozen_record=lambda wildcards, mode=mode: pipeline.frozen_record(
                mode, wildcards
            ),
            frozen=ancient(
                lambda wildcards, mode=mode: pipeline.frozen_model(mode, wildcards)
            ),
        output:
            **pipeline.model_files(mode),
        log:
            pipeline.log_pattern(mode, "train.log"),
        benchmark:
            pipeline.log_pattern(mode, "train.tsv")
        wildcard_constraints:
            task="[^/]+",
            fingerprint=FINGERPRINT,
        conda:
            "../../envs/torch.yaml"
        threads: pipeline.config.training.threads
        resources:
            **pipeline.resources("train", gpu=True),
        params:
            cell=pipeline.trained_cell,
            into=subpath(output.model, parent=True),
        shell:
            "logged {log} ecot train {params.cell} --into {params.into}"
