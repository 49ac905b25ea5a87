from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nvs_jax
from nvs_jax.errors import InputError
from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.svd.config import UNetConfig, VAEConfig
from nvs_jax.models.svd.networks import as_svd
from scripts.train.__main__ import main
from scripts.train.clips import random_path, rendered_clips
from scripts.train.codec import Encoded
from scripts.train.denoiser import denoiser_loss, draw_batch, first_weights
from scripts.train.settings import (
    ClipSettings,
    CodecSettings,
    DenoiserSettings,
    OptimizerSettings,
    TrainSettings,
)

TOY = TrainSettings(
    clips=ClipSettings(count=3, held_out=2, frames=3, height=16, width=24, samples=1),
    codec=CodecSettings(
        config=VAEConfig(down_block_types=("DownEncoderBlock2D",) * 2, block_out_channels=(32, 32), layers_per_block=1),
        optimizer=OptimizerSettings(steps=4, cool_down=1, batch=2, learning_rate=1e-3, warm_up=2, held_out_batch=2),
        crop=(8, 16),
        frames=2,
    ),
    denoiser=DenoiserSettings(
        unet=UNetConfig(
            down_block_types=("CrossAttnDownBlockSpatioTemporal",),
            up_block_types=("CrossAttnUpBlockSpatioTemporal",),
            block_out_channels=(32,),
            addition_time_embed_dim=32,
            projection_class_embeddings_input_dim=96,
            layers_per_block=(1,),
            cross_attention_dim=(32,),
            transformer_layers_per_block=((1,),),
            num_attention_heads=(1,),
            num_frames=3,
        ),
        image_encoder=ImageEncoderConfig(
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=1,
            image_size=28,
            projection_dim=32,
        ),
        optimizer=OptimizerSettings(steps=4, batch=1, learning_rate=1e-3, warm_up=2, held_out_batch=2),
    ),
    save_every=2,
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    main(folder / "work", folder / "exported", settings=TOY)
    return folder


@pytest.mark.full
def test_training_ends_with_a_folder_that_loads(trained):
    pipeline = nvs_jax.load(trained / "exported", dtype="float32")
    networks = as_svd(pipeline.model.networks)
    assert networks.unet_config == TOY.denoiser.unet
    assert networks.image_encoder_config == TOY.denoiser.image_encoder
    assert replace(networks.vae_config, scaling_factor=0.18215) == replace(TOY.codec.config, scaling_factor=0.18215)
    with np.load(trained / "work" / "latents.npz", allow_pickle=False) as latents:
        spread = latents["latents"][: TOY.clips.count].std()
    assert networks.vae_config.scaling_factor == pytest.approx(1 / spread, rel=1e-5)
    assert pipeline.model.lattice.frames == 3


@pytest.mark.full
def test_every_part_was_trained(trained):
    networks = as_svd(nvs_jax.load(trained / "exported", dtype="float32").model.networks)
    first = first_weights(TOY.denoiser)
    for part in ("unet", "image_encoder"):
        moved = [
            float(jnp.abs(value - first[f"{part}/{name}"]).max()) for name, value in networks.weights(part).items()
        ]
        assert np.mean(np.array(moved) > 1e-6) > 0.8


@pytest.mark.full
def test_a_finished_training_is_only_exported_again(trained):
    log = trained / "work" / "denoiser" / "losses.csv"
    before = log.read_bytes()
    main(trained / "work", trained / "again", settings=TOY)
    assert log.read_bytes() == before
    unet = "unet/diffusion_pytorch_model.safetensors"
    assert (trained / "again" / unet).read_bytes() == (trained / "exported" / unet).read_bytes()


@pytest.mark.full
def test_training_can_begin_from_weights_and_keeps_their_vae(tmp_path, trained):
    (tmp_path / "clips.npy").write_bytes((trained / "work" / "clips.npy").read_bytes())
    (tmp_path / "clips.done").write_bytes((trained / "work" / "clips.done").read_bytes())
    main(tmp_path, tmp_path / "exported", str(trained / "exported"), TOY)
    before, after = (
        as_svd(nvs_jax.load(path, dtype="float32").model.networks)
        for path in (trained / "exported", tmp_path / "exported")
    )
    for name, value in before.vae.items():
        np.testing.assert_array_equal(value, after.vae[name])
    assert any(np.any(value != after.unet[name]) for name, value in before.unet.items())
    assert not (tmp_path / "codec").exists()


@pytest.mark.full
def test_a_vae_can_be_trained_on_and_latents_of_another_are_not_taken(tmp_path, trained):
    work, wider = tmp_path / "work", replace(TOY.codec.config, latent_channels=6)
    settings = replace(TOY, codec=replace(TOY.codec, config=wider))
    main(work, tmp_path / "exported", str(trained / "exported"), settings, train_vae=True)
    networks = as_svd(nvs_jax.load(tmp_path / "exported", dtype="float32").model.networks)
    assert networks.vae_config.latent_channels == 6 and networks.unet_config.in_channels == 12
    with pytest.raises(InputError, match="made with another VAE"):
        main(work, tmp_path / "exported", str(trained / "exported"), settings)


@pytest.mark.full
def test_rendering_goes_on_where_it_was_broken_off(tmp_path, trained):
    whole = np.load(trained / "work" / "clips.npy", allow_pickle=False)
    broken = whole.copy()
    broken[2:] = 0
    np.save(tmp_path / "clips.npy", broken)
    (tmp_path / "clips.done").write_text("2")
    np.testing.assert_array_equal(rendered_clips(tmp_path, TOY.clips), whole)


def test_paths_stay_where_scenes_leave_room():
    poses = jax.vmap(lambda key: random_path(key, 8, 4.0, 45.0))(jax.random.split(jax.random.key(0), 200))
    rotations, translations = poses[..., :3, :3], poses[..., :3, 3]
    centres = -jnp.einsum("...ji,...j->...i", rotations, translations)
    distance = jnp.linalg.norm(centres[..., jnp.array([0, 2])], axis=-1)
    assert float(distance.min()) > 3.4 and float(distance.max()) < 4.5
    angle = jnp.degrees(jnp.arctan2(centres[..., 0], centres[..., 2]))
    assert float(jnp.abs(angle).max()) <= 70
    assert float(jnp.abs(angle[:, -1] - angle[:, 0]).max()) <= 45
    np.testing.assert_allclose(
        rotations @ rotations.swapaxes(-1, -2), jnp.broadcast_to(jnp.eye(3), rotations.shape), atol=1e-5
    )


def test_the_loss_of_a_network_that_says_nothing_is_the_variance_of_v():
    """v = (n - sigma x0) / sqrt(sigma^2 + 1) has variance 1 for data of variance 1, at every sigma."""
    rng = np.random.default_rng(0)
    batch = Encoded(
        rng.standard_normal((64, 3, 8, 8, 4), np.float32),
        np.zeros((64, 8, 8, 4), np.float32),
        np.zeros((64, 28, 28, 3), np.float32),
    )
    measure = jax.jit(denoiser_loss, static_argnums=3)
    loss = measure(first_weights(TOY.denoiser), batch, jax.random.key(0), TOY.denoiser)
    assert float(loss) == pytest.approx(1, abs=0.02)


def test_a_clip_played_backwards_begins_with_its_last_frame():
    """The frame a batch is told of is the first of its latents."""
    latents = jnp.arange(4 * 3, dtype=jnp.float32).reshape(4, 3, 1, 1, 1)
    data = Encoded(latents, latents[:, jnp.array([0, -1])], jnp.zeros((4, 2, 1, 1, 3)))  # pyright: ignore
    batch = draw_batch(data, jax.random.key(0), 50)
    np.testing.assert_array_equal(batch.latents[:, 0], batch.given)
    assert len(np.unique(np.asarray(batch.given))) == 8
