# As the stamp stands for the data set, run.json, which names the model by checksum, stands for the model.
rule evaluate:
    input:
        stamp=pipeline.dataset_stamp,
        data=ancient(pipeline.dataset),
        model=ancient(
            f"{pipeline.results}/cells/{{task}}/{{variant}}/model.safetensors"
        ),
        run=f"{pipeline.results}/cells/{{task}}/{{variant}}/run.json",
        classifier_stamp=pipeline.classifier_stamp,
        classifier=ancient(pipeline.classifier),
    output:
        metrics=f"{pipeline.results}/cells/{{task}}/{{variant}}/metrics.csv",
        samples=f"{pipeline.results}/cells/{{task}}/{{variant}}/samples.png",
    log:
        f"{pipeline.logs}/cells/{{task}}/{{variant}}/evaluate.log",
    benchmark:
        f"{pipeline.logs}/cells/{{task}}/{{variant}}/evaluate.tsv"
    wildcard_constraints:
        task="[^/]+",
    group:
        pipeline.measured_together
    conda:
        "../../envs/torch.yaml"
    threads: pipeline.threads("evaluate")
    resources:
        **pipeline.resources("evaluate", gpu=True),
        # Where a profile lets one take its turn at a time, a group asks for no more than one of its jobs does.
        turn=1,
    params:
        settings=pipeline.measured,
        cell=subpath(output.metrics, parent=True),
    shell:
        "python -m ecot evaluate {params.cell} --config $ECOT_CONFIG --dataset {input.data}"
        " --classifier {input.classifier} > {log} 2>&1"
