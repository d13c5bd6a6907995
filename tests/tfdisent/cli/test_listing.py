def test_list_names_methods_recipes_and_data(tfdisent_command):
    output = tfdisent_command("list").output
    for name in ("factor_vae", "cascade_vae_c/dsprites-demo", "dsprites", "arrays:PATH"):
        assert name in output


def test_nothing_is_cut_short_in_a_narrow_terminal(tfdisent_command):
    assert "…" not in tfdisent_command("list", columns=60).output


def test_sets_of_points_are_marked_as_such(tfdisent_command):
    from tfdisent import data
    from tfdisent.cli import listing

    output = tfdisent_command("list").output
    synthetic = [name for name in data.names() if name.startswith("synthetic:")]
    assert set(listing.POINTS) <= set(synthetic)
    for name in synthetic:
        (line,) = [line for line in output.splitlines() if line.split()[:1] == [name]]
        assert ("GANMINETrainer" in line) == (data.load(name).value_range is None)
