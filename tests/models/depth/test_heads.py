import jax

from nvs_jax.models.attention import attention
from nvs_jax.models.depth.heads import attend, head_by_head
from tests.models.comparing import QUICK_COMPILE, relative_error


def test_one_head_at_a_time_is_the_same_attention():
    def all_three(q, k, v):
        k, v = k[:, :11], v[:, :11]
        halves = [x.astype("bfloat16") for x in (q, k, v)]
        return attention(q, k, v), head_by_head(q, k, v), attend(q, k, v), head_by_head(*halves)

    q, k, v = jax.random.normal(jax.random.key(0), (3, 2, 30, 3, 8)) * 2
    expected, one_by_one, chosen, half = jax.jit(all_three, compiler_options=QUICK_COMPILE)(q, k, v)
    assert relative_error(one_by_one, expected) < 1e-6
    assert relative_error(chosen, expected) < 1e-6
    assert half.dtype == "bfloat16" and relative_error(half.astype("float32"), expected) < 0.05  # 8 bits
