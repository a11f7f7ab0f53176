# Small files are compared by content, large ones only by date, and a date must not retrain anything:
# so the stamp, which holds the checksum, stands for the data set and the array file is ancient().
rule train_end_to_end:
    input:
        stamp=pipeline.dataset_stamp,
        data=ancient(pipeline.dataset),
    output:
        model=f"{pipeline.results}/cells/{{task}}/end_to_end/{{randomness}}/rate-{{rate}}/seed-{{seed}}/model.safetensors",
        settings=f"{pipeline.results}/cells/{{task}}/end_to_end/{{randomness}}/rate-{{rate}}/seed-{{seed}}/config.yaml",
        history=f"{pipeline.results}/cells/{{task}}/end_to_end/{{randomness}}/rate-{{rate}}/seed-{{seed}}/history.csv",
        run=f"{pipeline.results}/cells/{{task}}/end_to_end/{{randomness}}/rate-{{rate}}/seed-{{seed}}/run.json",
    log:
        f"{pipeline.logs}/cells/{{task}}/end_to_end/{{randomness}}/rate-{{rate}}/seed-{{seed}}/train.log",
    benchmark:
        f"{pipeline.logs}/cells/{{task}}/end_to_end/{{randomness}}/rate-{{rate}}/seed-{{seed}}/train.tsv"
    conda:
        "../../envs/torch.yaml"
    threads: pipeline.threads("train")
    resources:
        gpu=pipeline.gpus,
        mem_mb=pipeline.memory("train"),
        runtime=pipeline.runtime("train"),
    params:
        settings=pipeline.trained("end_to_end"),
        out=subpath(output.model, parent=True),
    shell:
        "python -m ecot train end-to-end --config $ECOT_CONFIG --task {wildcards.task} --rate {wildcards.rate}"
        " --randomness {wildcards.randomness} --seed {wildcards.seed} --dataset {input.data} --out {params.out}"
        " > {log} 2>&1"
