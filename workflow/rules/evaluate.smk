# As the stamp stands for the data set, run.json, which names the model by its checksum, stands for the model.
rule evaluate:
    input:
        stamp=lambda wildcards: pipeline.dataset_stamp(wildcards.task),
        data=ancient(lambda wildcards: pipeline.dataset(wildcards.task)),
        model=ancient("results/cells/{task}/{point}/{fingerprint}/model.safetensors"),
        run="results/cells/{task}/{point}/{fingerprint}/run.json",
        classifier_stamp=lambda wildcards: pipeline.classifier_stamp(wildcards.task),
        classifier=ancient(lambda wildcards: pipeline.classifier(wildcards.task)),
    output:
        metrics="results/cells/{task}/{point}/{fingerprint}/measurements/{measurement}/metrics.csv",
        samples="results/cells/{task}/{point}/{fingerprint}/measurements/{measurement}/samples.npz",
        picture="results/cells/{task}/{point}/{fingerprint}/measurements/{measurement}/samples.png",
    log:
        "logs/cells/{task}/{point}/{fingerprint}/measurements/{measurement}.log",
    benchmark:
        "logs/cells/{task}/{point}/{fingerprint}/measurements/{measurement}.tsv"
    wildcard_constraints:
        task="[^/]+",
        fingerprint=FINGERPRINT,
        measurement=FINGERPRINT,
    group:
        pipeline.measured_together
    conda:
        "../../envs/torch.yaml"
    resources:
        **pipeline.resources("evaluate", gpu=True),
        # Where a profile lets one take its turn at a time, a group asks for no more than one of its jobs does.
        turn=1,
    params:
        cell=pipeline.measured_cell,
        into=subpath(output.metrics, parent=True),
    shell:
        "logged {log} ecot evaluate {params.cell} --into {params.into}"


# What the measures of the output law give for clean images in place of outputs.
rule clean_scores:
    input:
        stamp=lambda wildcards: pipeline.dataset_stamp(wildcards.task),
        data=ancient(lambda wildcards: pipeline.dataset(wildcards.task)),
        classifier_stamp=lambda wildcards: pipeline.classifier_stamp(wildcards.task),
        classifier=ancient(lambda wildcards: pipeline.classifier(wildcards.task)),
    output:
        f"{pipeline.results}/constraint/clean_scores_{{task}}.csv",
    log:
        f"{pipeline.logs}/constraint/clean_scores_{{task}}.log",
    benchmark:
        f"{pipeline.logs}/constraint/clean_scores_{{task}}.tsv"
    conda:
        "../../envs/torch.yaml"
    resources:
        **pipeline.resources("evaluate", gpu=True),
    params:
        settings=pipeline.clean_scores_parameter,
    shell:
        "logged {log} ecot clean-scores {wildcards.task}"
